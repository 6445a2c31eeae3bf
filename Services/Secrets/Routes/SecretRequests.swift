import Foundation
import NIOCore
import PlatformModel
import ServiceKit

/// What is asked to be stored.
struct NewSecret: Sendable {
    let key: SecretKey
    let text: SecretText
    let place: SecretPlace

    /// - Throws: 400 naming the field.
    init(body: ByteBuffer) throws {
        var fields = try SecretFields(body: Data(body.readableBytesView))
        let key = fields.read("key") { try SecretKey($0) }
        let text = fields.read("value") { try SecretText($0) }
        let (org, project) = (fields.org(), fields.project())
        try fields.finish()
        guard let key, let text, let org, let project else { throw PlatformError.badRequest("is required") }
        (self.key, self.text) = (key, text)
        place = SecretPlace(org: org, project: project)
    }
}

extension SecretPlace {
    /// - Throws: 400 naming the parameter.
    init(_ query: QueryItems) throws {
        var fields = SecretFields(query: query)
        let (org, project) = (fields.org(), fields.project())
        try fields.finish()
        guard let org, let project else { throw PlatformError.badRequest("is required") }
        self.init(org: org, project: project)
    }
}

/// What a list is asked for: a project, or all projects of an organization.
enum SecretScope: Equatable, Sendable {
    case project(SecretPlace)
    case org(OrgName)

    /// - Throws: 400 naming the parameter.
    init(_ query: QueryItems) throws {
        var fields = SecretFields(query: query)
        let (org, project) = (fields.org(), fields.project(isRequired: false))
        try fields.finish()
        guard let org else { throw PlatformError.badRequest("is required") }
        self = project.map { .project(SecretPlace(org: org, project: $0)) } ?? .org(org)
    }
}

extension PlatformContext {
    /// - Throws: 400 with the bare rule that is broken.
    func secretKey() throws -> SecretKey {
        let text = try parameter("key")
        do { return try SecretKey(text) } catch { throw PlatformError.badRequest(error.reason) }
    }
}

extension QueryItems {
    /// Tokens in addresses end in the logs of whatever is on the way. (Where the query is read, no such parameter is known anyhow.)
    func refuseToken() throws {
        if first("neuro-auth-token") != nil { throw PlatformError.badRequest("neuro-auth-token: neuro-auth-token is not allowed key") }
    }
}
