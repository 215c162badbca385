import { loadLater } from '../../load-later.js';
import type { Hosting } from '../hosted.js';

/** The host loop of adaptive solvers, which loads when one runs. Layers get it handed down, so that their code lies with what loads at once. */
export const runAdaptively: Hosting = async (...call) => (await loadLater()).runAdaptively(...call);
