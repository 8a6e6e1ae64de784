import { together } from './together.js';

together('clients');
