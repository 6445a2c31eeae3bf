import Identity
import NIOCore
import PlatformModel
import Synchronization

/// The text of a listing, some entries at a time: a record a line, or one document.
final class ListingPages: Sendable {
    /// The first comes soon; of a long listing the others are longer.
    private static let size = (first: 1024, later: 4096)

    private enum Stage {
        case beginning, entries, over
    }

    private let listing: FolderListing
    private let node: PermissionTree.Node
    private let inLines: Bool
    /// What the caller may do with an entry that the tree does not name; nil when he may not see it.
    private let usual: String?
    /// And whether an entry has been written.
    private let state = Mutex((stage: Stage.beginning, any: false))

    init(listing: FolderListing, node: PermissionTree.Node, inLines: Bool) {
        self.listing = listing
        self.node = node
        self.inLines = inLines
        usual = node.inherited == .deny ? nil : node.inherited.shown
    }

    /// nil at the end. An empty page is no end: the caller may not see any of its entries.
    func next() throws -> ByteBuffer? {
        try state.withLock { state in
            guard state.stage != .over else { return nil }
            var page = ByteBuffer()
            let isFirst = state.stage == .beginning
            let limit = isFirst ? Self.size.first : Self.size.later
            page.reserveCapacity(limit * 160)
            if isFirst, !inLines { page.writeStaticString("{\"FileStatuses\": {\"FileStatus\": [") }
            var any = state.any
            let isLast = try listing.next(limit) { name, status in
                guard let permission = permission(name) else { return }
                if inLines {
                    StatusText.write(status, path: name, permission: permission, between: ("{\"FileStatus\": ", "}\r\n"), to: &page)
                } else {
                    StatusText.write(status, path: name, permission: permission, between: (any ? ", " : "", ""), to: &page)
                }
                any = true
            }
            state = (isLast ? .over : .entries, any)
            if isLast, !inLines { page.writeStaticString("]}}") }
            return page
        }
    }

    /// All of it has been given out.
    var isOver: Bool { state.withLock { $0.stage == .over } }

    /// As the caller sees it; nil for an entry that is not for him.
    private func permission(_ name: UnsafeBufferPointer<UInt8>) -> String? {
        if !node.children.isEmpty, let text = String(validating: name, as: UTF8.self), let child = node.children[text] {
            return child.shown
        }
        return usual
    }
}
