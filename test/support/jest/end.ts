import { endAll } from '../at-end.js';

afterAll(endAll);
