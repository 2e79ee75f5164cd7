/** No provider has more members, nor reads an answer of more entries: such an answer is an error or an attack. */
export const MAX_MEMBERS = 1_000_000;
