/// An outbound event of the server channel: the route begins to read the body of the request that it answers. A client that announced
/// `Expect: 100-continue` is told to send it (RFC 9110, 10.1.1); one whose request is refused keeps it.
public struct WantsBody: Sendable {
    public init() {}
}
