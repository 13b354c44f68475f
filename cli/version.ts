declare const VARVE_VERSION: string | undefined

/** The version of the package, put in by the build; source that runs unbuilt has none. */
export const version = typeof VARVE_VERSION === 'string' ? VARVE_VERSION : '0.0.0-source'
