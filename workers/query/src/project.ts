import { type ProjectRow, readProject } from "@tidemark/db/projects";

/** The project of a key. A key without one is a broken deployment, not a wrong request. */
export async function requireProject(db: D1Database, id: string): Promise<ProjectRow> {
  const project = await readProject(db, id);
  if (project === undefined) throw new Error(`a key names the project ${JSON.stringify(id)}, which does not exist`);
  return project;
}
