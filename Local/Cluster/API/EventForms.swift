import Kubernetes

/// Events have two forms, of the core group and of events.k8s.io; they are kept in the first.
enum EventForms {
    private static let pairs = [("note", "message"), ("regarding", "involvedObject"), ("reportingController", "reportingComponent")]
    private static let old = [
        ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"),
        ("deprecatedSource", "source"),
    ]

    /// From events.k8s.io to the form that is kept.
    static func core(_ event: Object) -> Object {
        var event = event
        for (new, old) in pairs + old { move(new, to: old, in: &event) }
        event["apiVersion"] = .string(ResourceKind.events.apiVersion)
        return event
    }

    /// From the form that is kept to events.k8s.io.
    static func new(_ event: Object) -> Object {
        var event = event
        for (new, old) in pairs + old { move(old, to: new, in: &event) }
        event["apiVersion"] = .string(ResourceKind.newEvents.apiVersion)
        return event
    }

    private static func move(_ from: String, to: String, in event: inout Object) {
        guard let value = event[from] else { return }
        event[from] = nil
        event[to] = value
    }
}

extension ResourceKind {
    /// The kind under which an object is kept.
    var kept: ResourceKind { self == .newEvents ? .events : self }

    /// An object of the store as this kind shows it.
    func shown(_ object: Object) -> Object {
        if self == .newEvents { return EventForms.new(object) }
        guard object.apiVersion != apiVersion else { return object }
        var object = object
        object["apiVersion"] = .string(apiVersion)
        return object
    }

    /// An object of a request as the store keeps it.
    func stored(_ object: Object) -> Object { self == .newEvents ? EventForms.core(object) : object }

    /// Field names of a selector as the store's form has them.
    func stored(_ selector: Selector) -> Selector {
        guard self == .newEvents else { return selector }
        var selector = selector
        selector.fields = selector.fields.map { field in
            let path = field.path.replacing("regarding.", with: "involvedObject.").replacing(
                "reportingController", with: "reportingComponent")
            return FieldRequirement(path: path, value: field.value, isEqual: field.isEqual)
        }
        return selector
    }
}
