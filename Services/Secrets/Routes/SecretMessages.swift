/// A secret without its value.
struct SecretEntry: Codable, Equatable, Sendable {
    let key: String
    /// The project once more, for clients of before projects.
    let owner: String
    let orgName: String
    let projectName: String

    init(_ key: SecretKey, in place: SecretPlace) {
        self.key = key.text
        owner = place.project.text
        orgName = place.org.text
        projectName = place.project.text
    }

    enum CodingKeys: String, CodingKey {
        case key, owner
        case orgName = "org_name"
        case projectName = "project_name"
    }
}

/// A secret with its value. Made for the answer alone.
struct SecretWithValue: Encodable, Sendable {
    let key: SecretKey
    let value: SecretValue
    let place: SecretPlace

    private enum Field: String, CodingKey { case value }

    func encode(to encoder: any Encoder) throws {
        try SecretEntry(key, in: place).encode(to: encoder)
        var container = encoder.container(keyedBy: Field.self)
        try container.encode(value.base64, forKey: .value)
    }
}
