/** The Temporal CLI, server included, that `go.mod` pins and our cache is named after. */
export const temporalVersion = '1.8.2';
