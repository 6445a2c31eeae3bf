import Hummingbird
import PlatformModel
import ServiceKit

extension Request {
    /// The JSON body, whatever the content type says.
    func ordered(_ context: PlatformContext) async throws -> OrderedJSON {
        let buffer = try await body.collect(upTo: context.maxUploadSize)
        do {
            return try OrderedJSONParser.parse(buffer.readableBytesView)
        } catch {
            throw PlatformError.badRequest(error.message)
        }
    }
}

/// `PUT …/max_run_time_minutes`: replaces or adds (jobs-api.md 11).
enum RunTimeRequest {
    static func event(_ body: OrderedJSON) throws(Problem) -> JobEvent {
        var fields = try Fields(of: body)
        let minutes = fields.optional("max_run_time_minutes", count)
        let additional = fields.optional("additional_max_run_time_minutes", count)
        try fields.finish()
        switch (minutes, additional) {
        case (let minutes?, nil): return .runTimeLimited(minutes: minutes)
        case (nil, let additional?): return .runTimeExtended(minutes: additional)
        default:
            throw .message("Exactly one of 'max_run_time_minutes' and 'additional_max_run_time_minutes' allowed")
        }
    }

    private static func count(_ value: OrderedJSON) throws(Problem) -> Int { Int(try Check.integer(value, atLeast: 1)) }
}

/// `POST …/drop_progress` (jobs-api.md 12.4).
enum DropProgressRequest {
    static func logsRemoved(_ body: OrderedJSON) throws(Problem) -> Bool {
        var fields = try Fields(of: body)
        let removed = fields.optional("logs_removed", Check.bool)
        try fields.finish()
        return removed ?? false
    }
}

/// `PUT …/status` (jobs-api.md 12.1).
enum StatusRequest {
    static func report(_ body: OrderedJSON) throws(Problem) -> JobStatusReport {
        var fields = try Fields(of: body)
        let text = fields.required("status") { value throws(Problem) in try Check.text(value) }
        let reason = fields.optional("reason", textOrNull)
        let description = fields.optional("description", textOrNull)
        let exitCode = fields.optional("exit_code") { value throws(Problem) in
            value == .null ? nil : Int(try Check.integer(value, atLeast: Int64(Int32.min), atMost: Int64(Int32.max)))
        }
        try fields.finish()
        guard let text, let status = JobStatus(rawValue: text) else { throw .message("'\(text ?? "")' is not a valid JobStatus") }
        return JobStatusReport(status, reason: reason ?? nil, description: description ?? nil, exitCode: exitCode ?? nil)
    }

    private static func textOrNull(_ value: OrderedJSON) throws(Problem) -> String? { value == .null ? nil : try Check.text(value) }
}

/// `PUT …/materialized` (jobs-api.md 12.2).
enum MaterializedRequest {
    static func flag(_ body: OrderedJSON) throws(Problem) -> Bool {
        var fields = try Fields(of: body)
        let flag = fields.required("materialized", Check.bool)
        try fields.finish()
        guard let flag else { throw .members([.field("materialized", .message("is required"))]) }
        return flag
    }
}
