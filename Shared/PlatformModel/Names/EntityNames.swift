/// The account name of a human: 3 to 21 characters, so that DNS labels made from it stay short enough.
public struct UserName: PlatformName {
    public static let kind = "user name"
    public let text: String
    public init(checked text: String) { self.text = text }
    public static func refusal(of text: String) -> String? { NameRules.dashed(text, length: 3...21) }
    /// The same name as a principal.
    public var principal: PrincipalName { PrincipalName(checked: text) }
}

/// The name of a compute cluster.
public struct ClusterName: PlatformName {
    public static let kind = "cluster name"
    public let text: String
    public init(checked text: String) { self.text = text }
    public static func refusal(of text: String) -> String? { NameRules.dashed(text, length: 3...255) }
}

/// The name of an organization.
public struct OrgName: PlatformName {
    public static let kind = "organization name"
    public let text: String
    public init(checked text: String) { self.text = text }
    public static func refusal(of text: String) -> String? { NameRules.dashed(text, length: 3...255) }
}

/// The name of a project; unique within its cluster and organization.
public struct ProjectName: PlatformName {
    public static let kind = "project name"
    public let text: String
    public init(checked text: String) { self.text = text }
    public static func refusal(of text: String) -> String? { NameRules.dashed(text, length: 3...255) }
}
