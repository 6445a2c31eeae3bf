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
    /// And whether an entry has been written.
    private let state = Mutex((stage: Stage.beginning, any: false))

    init(listing: FolderListing, node: PermissionTree.Node, inLines: Bool) {
        self.listing = listing
        self.node = node
        self.inLines = inLines
    }

    /// nil at the end. An empty page is no end: the caller may not see any of its entries.
    func next() throws -> ByteBuffer? {
        try state.withLock { state in
            guard state.stage != .over else { return nil }
            var page = ByteBuffer()
            let (entries, isLast) = try listing.next(state.stage == .beginning ? Self.size.first : Self.size.later)
            page.reserveCapacity(entries.count * 160)
            if state.stage == .beginning, !inLines { page.writeStaticString("{\"FileStatuses\": {\"FileStatus\": [") }
            state.stage = isLast ? .over : .entries
            for entry in entries {
                guard let permission = permission(entry.name) else { continue }
                if inLines {
                    page.writeStaticString("{\"FileStatus\": ")
                } else if state.any {
                    page.writeStaticString(", ")
                }
                state.any = true
                StatusText.write(entry.status, path: entry.name.bytes, permission: permission, to: &page)
                if inLines { page.writeStaticString("}\r\n") }
            }
            if isLast, !inLines { page.writeStaticString("]}}") }
            return page
        }
    }

    /// All of it has been given out.
    var isOver: Bool { state.withLock { $0.stage == .over } }

    /// As the caller sees it; nil for an entry that is not for him.
    private func permission(_ name: FolderReader.Entry) -> String? {
        if !node.children.isEmpty, let text = String(validating: name.bytes, as: UTF8.self), let child = node.children[text] {
            return child.shown
        }
        return node.inherited == .deny ? nil : node.inherited.shown
    }
}
