extension JobContainer {
    /// A piece of storage seen in the container. The URI keeps the text that the contract prescribes (double slashes and a trailing slash
    /// stay), which a `ResourceURI` would refuse.
    public struct Volume: Hashable, Sendable, Codable {
        public var sourceURI: String
        public var path: String
        public var readOnly: Bool

        public init(sourceURI: String, path: String, readOnly: Bool = true) {
            self.sourceURI = sourceURI
            self.path = path
            self.readOnly = readOnly
        }

        enum CodingKeys: String, CodingKey {
            case sourceURI = "src_storage_uri"
            case path = "dst_path"
            case readOnly = "read_only"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            sourceURI = try container.decode(String.self, forKey: .sourceURI)
            path = try container.decode(String.self, forKey: .path)
            readOnly = try container.decodeIfPresent(Bool.self, forKey: .readOnly) ?? true
        }
    }

    /// A persistent disk seen in the container.
    public struct DiskVolume: Hashable, Sendable, Codable {
        public var sourceURI: ResourceURI
        public var path: String
        public var readOnly: Bool

        public init(sourceURI: ResourceURI, path: String, readOnly: Bool = true) {
            self.sourceURI = sourceURI
            self.path = path
            self.readOnly = readOnly
        }

        enum CodingKeys: String, CodingKey {
            case sourceURI = "src_disk_uri"
            case path = "dst_path"
            case readOnly = "read_only"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            sourceURI = try container.decode(ResourceURI.self, forKey: .sourceURI)
            path = try container.decode(String.self, forKey: .path)
            readOnly = try container.decodeIfPresent(Bool.self, forKey: .readOnly) ?? true
        }
    }

    /// A secret seen in the container as a file.
    public struct SecretVolume: Hashable, Sendable, Codable {
        public var sourceURI: ResourceURI
        public var path: String

        public init(sourceURI: ResourceURI, path: String) {
            self.sourceURI = sourceURI
            self.path = path
        }

        enum CodingKeys: String, CodingKey {
            case sourceURI = "src_secret_uri"
            case path = "dst_path"
        }
    }
}
