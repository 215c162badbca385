/** Loads what a page seldom asks for. */
export const loadLater = () => import('./later.js');
