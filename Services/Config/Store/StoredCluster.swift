import PlatformModel

/// A cluster as it is stored: the document without credentials, and the credentials sealed.
struct StoredCluster: Sendable {
    /// Holds no credentials.
    let document: ClusterDocument
    let generation: Int64
    private let sealed: String?
    /// What a replica of an older release has written since the start.
    private let plain: JSON?
    private let seal: CredentialsSeal

    init(_ document: ClusterDocument, sealed: String?, generation: Int64, seal: CredentialsSeal) {
        var bare = document
        bare.credentials = nil
        self.document = bare
        self.generation = generation
        self.sealed = sealed
        self.seal = seal
        plain = document.credentials
    }

    var name: ClusterName { document.name }

    /// Whether the credentials lie as the present key seals them.
    var isSealed: Bool { plain == nil && sealed?.hasPrefix(seal.prefix) ?? true }

    /// Opened only for those who may see them: whatever is wrong with them is no matter to others.
    /// - Throws: ``SealError``.
    func credentials() throws -> JSON? {
        let opened = try sealed.map { try seal.open($0, of: name) }
        guard let plain else { return opened }
        return try ClusterCredentials(opened).merging(plain).json
    }

    /// The document with its credentials.
    func whole() throws -> ClusterDocument {
        var whole = document
        whole.credentials = try credentials()
        return whole
    }
}
