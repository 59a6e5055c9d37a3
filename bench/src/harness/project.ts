/** The project that everything is counted for; the name is shared with the Workers under measurement. */
export const PROJECT_ID = "bench";
