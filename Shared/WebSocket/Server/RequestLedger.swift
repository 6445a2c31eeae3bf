import HTTPTypes

/// The requests of one connection that are being received or answered: which response closes it. Pure; the handler carries it out.
struct RequestLedger {
    private enum Upgrade { case notAsked, asked, webSocket }

    /// Whether each of the requests in progress is a HEAD, the oldest first.
    private var heads: [Bool] = []
    private var upgrade = Upgrade.notAsked
    private var quiescing = false
    /// The client said that its last request is the last one.
    private var clientCloses = false
    private(set) var isReceiving = false
    /// The newest request waits with its body until it is told to go on.
    private var awaitsContinue = false
    /// The response under way, or the next one, says `Connection: close`.
    private(set) var closesAfterResponse = false
    private(set) var isClosed = false

    var isIdle: Bool { heads.isEmpty }
    /// The response that is written now has no body, whatever its head says of one.
    var answersHead: Bool { heads.first ?? false }
    /// The newest request may become a WebSocket and has not been answered.
    var awaitsUpgrade: Bool { upgrade == .webSocket }
    /// The response that is written now answers the request that asked for an upgrade: responses keep the order of their requests, and
    /// nothing is decoded after such a request.
    var answersUpgrade: Bool { upgrade != .notAsked && heads.count == 1 }

    mutating func began(_ head: HTTPRequest) {
        heads.append(head.method == .head)
        isReceiving = true
        clientCloses = head.headerFields.lists(.connection, "close")
        awaitsContinue = head.headerFields.lists(.expect, "100-continue")
        let asks = head.headerFields[.upgrade] != nil && head.headerFields.lists(.connection, "upgrade")
        if asks || head.method == .connect { upgrade = WebSocketUpgrade.mayUpgrade(head) ? .webSocket : .asked }
    }

    /// The request has come in completely.
    mutating func received() { isReceiving = false }

    /// The body of the newest request is wanted now. True if its client has to be told.
    mutating func wantsBody() -> Bool {
        defer { awaitsContinue = false }
        return awaitsContinue && isReceiving
    }

    /// A response begins. True if it is to say `Connection: close`.
    mutating func answered(_ head: HTTPResponse) -> Bool {
        let isLast = heads.count == 1
        if isLast { awaitsContinue = false }
        // Who refuses a request need not take the rest of it.
        let leavesBody = isReceiving && isLast && head.status.code >= 400
        if answersUpgrade || leavesBody || (isLast && (quiescing || clientCloses)) || head.headerFields.lists(.connection, "close") {
            closesAfterResponse = true
        }
        return closesAfterResponse
    }

    /// A response is complete. True if the connection ends with it.
    mutating func finished() -> Bool {
        if !heads.isEmpty { heads.removeFirst() }
        if heads.isEmpty, quiescing { closesAfterResponse = true }
        isClosed = closesAfterResponse
        return isClosed
    }

    /// The service shuts down. True if the connection can be closed at once.
    mutating func quiesce() -> Bool {
        quiescing = true
        return isIdle
    }
}
