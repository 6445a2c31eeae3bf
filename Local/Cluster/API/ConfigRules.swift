import Foundation
import Kubernetes

/// Rules of Secrets and ConfigMaps.
enum ConfigRules {
    private static let limit = 1 << 20

    /// `stringData` is a way to write only; what is kept is `data`.
    static func prepareSecret(_ object: inout Object) {
        if object["type"] == nil { object["type"] = "Opaque" }
        guard let texts = object["stringData"]?.object else {
            object["stringData"] = nil
            return
        }
        var data = object["data"]?.object ?? [:]
        for (key, value) in texts {
            data[key] = .string(Data((value.string ?? "").utf8).base64EncodedString())
        }
        object["stringData"] = nil
        object["data"] = data.isEmpty ? nil : .object(data)
    }

    static func faults(of object: Object) -> [FieldFault] {
        let isSecret = object.kind == "Secret"
        var faults: [FieldFault] = []
        var size = 0
        for member in ["data", "binaryData"] {
            for (key, value) in (object[member]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                let field = "\(member)[\(key)]"
                if !NameRules.isConfigKey(key) { faults.append(.invalid(field, .string(key), NameRules.keyText)) }
                guard let text = value.string else {
                    faults.append(.invalid(field, value, "must be a string"))
                    continue
                }
                guard isSecret || member == "binaryData" else {
                    size += text.utf8.count
                    continue
                }
                // What counts are the bytes, not how they are written.
                let bytes = Data(base64Encoded: text)
                if bytes == nil { faults.append(.invalid(field, "<value>", "illegal base64 data")) }
                size += bytes?.count ?? text.utf8.count
            }
        }
        if size > limit { faults.append(.tooLong("data", limit: limit)) }
        let data = object["data"]?.object ?? [:]
        func require(_ key: String) {
            if data[key] == nil { faults.append(.required("data[\(key)]")) }
        }
        switch isSecret ? object["type"]?.string : nil {
        case "kubernetes.io/dockerconfigjson":
            require(".dockerconfigjson")
            if let text = data[".dockerconfigjson"]?.string, let bytes = Data(base64Encoded: text), (try? JSONParser.parse(bytes)) == nil {
                faults.append(.invalid("data[.dockerconfigjson]", "<secret contents redacted>", "invalid character"))
            }
        case "kubernetes.io/dockercfg": require(".dockercfg")
        case "kubernetes.io/tls":
            require("tls.crt")
            require("tls.key")
        case "kubernetes.io/ssh-auth": require("ssh-privatekey")
        default: break
        }
        return faults
    }

    static func changes(from before: Object, to after: Object) -> [FieldFault] {
        var faults: [FieldFault] = []
        if before["type"] != after["type"] { faults.append(.invalid("type", after["type"], "field is immutable")) }
        if before["immutable"]?.bool == true {
            if after["immutable"]?.bool != true { faults.append(.forbidden("immutable", "field is immutable when `immutable` is set")) }
            if before["data"] != after["data"] { faults.append(.forbidden("data", "field is immutable when `immutable` is set")) }
        }
        return faults
    }
}
