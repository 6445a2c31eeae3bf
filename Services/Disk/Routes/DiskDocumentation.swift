import ServiceKit

extension Documentation {
    /// `/api/docs/v1/disk` (disk.md 3).
    static let disks = Documentation(
        "Disks of a cluster", path: "/api/docs/v1/disk",
        routes: [
            DocumentedRoute("GET /api/v1/ping", "Whether the service runs.", answers: [.init(200, "It does.", .text)]),
            DocumentedRoute(
                "GET /api/v1/secured-ping", "Whether a token stands.", answers: [.init(200, "It does.", .text)]),
            DocumentedRoute(
                "POST /api/v1/disk", "Makes a disk; takes the right to write in the project.",
                body: [
                    .init("storage", .integer, isRequired: true, "bytes, more than 0"),
                    .init("life_span", .number, "seconds without use after which the disk is removed; none or 0: never"),
                    .init("name", .string, "3 to 40 lower-case letters, digits and inner hyphens, unique in the project"),
                    .init("org_name", .string, isRequired: true, "organization"),
                    .init("project_name", .string, isRequired: true, "project"),
                ],
                answers: [
                    .init(201, "The disk is made; it may still be Pending.", .object("Disk")),
                    .init(400, "A field is wrong; the answer names it.", .object("Error")),
                    .init(403, "The right is missing, or the project's disks would have more than they may.", .object("Refusal")),
                    .init(409, "The project has a disk of that name.", .object("Refusal")), away,
                ]),
            DocumentedRoute(
                "GET /api/v1/disk", "The disks of a project, or of all projects of an organization, that the caller may read.",
                parameters: [
                    .init("org_name", .string, isRequired: true, "organization"),
                    .init("project_name", .string, "project; without it all of the organization"),
                ],
                answers: [
                    .init(200, "Those that may be read; none is an empty list.", .list("Disk")),
                    .init(400, "A parameter is wrong.", .object("Error")), away,
                ]),
            DocumentedRoute(
                "GET /api/v1/disk/{disk}", "One disk; takes the right to read it.", parameters: place,
                answers: [.init(200, "It is there.", .object("Disk"))] + one),
            DocumentedRoute(
                "DELETE /api/v1/disk/{disk}",
                "Removes a disk; takes the right to write to it. It is gone for the API at once, its data when no job has it any more.",
                parameters: place, answers: [.init(204, "It is removed.")] + one),
        ],
        objects: [
            disk,
            DocumentedObject("Error", [.init("error", .string, isRequired: true, "one sentence that names what is wrong")]),
            DocumentedObject(
                "Refusal",
                [
                    .init("code", .string, "over_limit, DiskNameUsed"), .init("description", .string, "one sentence"),
                    .init("missing", .objects("Right"), "the rights that are missing, in place of the other two"),
                ]),
            DocumentedObject(
                "Right",
                [
                    .init("uri", .string, isRequired: true, "disk://cluster/organization/project"),
                    .init("action", .string, isRequired: true, "read or write"),
                ]),
        ])

    /// What ``DiskView`` writes.
    static let disk = DocumentedObject(
        "Disk",
        [
            .init("id", .string, isRequired: true, "disk- and a UUID; that of an adopted volume is its name"),
            .init("storage", .integer, isRequired: true, "bytes: what it has, or what was asked for"),
            .init("status", .string, isRequired: true, "Pending, Ready or Broken"),
            .init("owner", .string, isRequired: true, "who made it"),
            .init("name", .string, "its name in the project"),
            .init("org_name", .string, isRequired: true, "organization"),
            .init("project_name", .string, isRequired: true, "project"),
            .init("created_at", .time, isRequired: true, "when it was made"),
            .init("last_usage", .time, "when a job was last seen with it"),
            .init("life_span", .number, "seconds without use after which it is removed"),
            .init("used_bytes", .integer, "bytes, as its node last told them"),
        ])

    private static let place: [DocumentedField] = [
        .init("disk", .string, "id or name"), .init("org_name", .string, isRequired: true, "organization"),
        .init("project_name", .string, isRequired: true, "project"),
    ]

    private static let one: [DocumentedRoute.Answer] = [
        .init(400, "A parameter is wrong.", .object("Error")), .init(403, "The right is missing.", .object("Refusal")),
        .init(404, "There is no such disk.", .text), away,
    ]

    private static let away = DocumentedRoute.Answer(503, "What the service needs does not answer; try again.", .object("Error"))
}
