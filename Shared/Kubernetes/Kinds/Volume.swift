/// core/v1 Volume; one source is set.
public struct Volume: Codable, Sendable, Hashable {
    public var name: String
    public var secret: SecretVolume?
    public var configMap: ConfigMapVolume?
    public var persistentVolumeClaim: ClaimVolume?
    public var emptyDir: EmptyDirectory?
    public var hostPath: HostPath?
    public var nfs: NFSVolume?
    public var projected: JSONValue?
    public var downwardAPI: JSONValue?

    public init(name: String) { self.name = name }
}

public struct SecretVolume: Codable, Sendable, Hashable {
    public var secretName: String?
    /// Permission bits, decimal (256 is 0400).
    public var defaultMode: Int?
    public var items: [KeyToPath]?
    public init(secretName: String, defaultMode: Int? = nil) {
        self.secretName = secretName
        self.defaultMode = defaultMode
    }
}

public struct ConfigMapVolume: Codable, Sendable, Hashable {
    public var name: String?
    public var defaultMode: Int?
    public var items: [KeyToPath]?
    public init(name: String, defaultMode: Int? = nil) {
        self.name = name
        self.defaultMode = defaultMode
    }
}

public struct KeyToPath: Codable, Sendable, Hashable {
    public var key: String
    public var path: String
    public var mode: Int?
    public init(key: String, path: String, mode: Int? = nil) {
        self.key = key
        self.path = path
        self.mode = mode
    }
}

public struct ClaimVolume: Codable, Sendable, Hashable {
    public var claimName: String
    public var readOnly: Bool?
    public init(claimName: String, readOnly: Bool? = nil) {
        self.claimName = claimName
        self.readOnly = readOnly
    }
}

public struct EmptyDirectory: Codable, Sendable, Hashable {
    public var medium: String?
    public var sizeLimit: Quantity?
    public init(medium: String? = nil, sizeLimit: Quantity? = nil) {
        self.medium = medium
        self.sizeLimit = sizeLimit
    }
}

public struct HostPath: Codable, Sendable, Hashable {
    public var path: String
    public var type: String?
    public init(path: String, type: String? = nil) {
        self.path = path
        self.type = type
    }
}

public struct NFSVolume: Codable, Sendable, Hashable {
    public var server: String
    public var path: String
    public var readOnly: Bool?
    public init(server: String, path: String, readOnly: Bool? = nil) {
        self.server = server
        self.path = path
        self.readOnly = readOnly
    }
}
