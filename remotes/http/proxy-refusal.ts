/** A proxy that does not let a tunnel through. */
export class ProxyRefusal extends Error {
  readonly statusCode: number

  constructor(statusCode: number) {
    super(`the proxy answers ${statusCode}`)
    this.name = 'ProxyRefusal'
    this.statusCode = statusCode
  }
}
