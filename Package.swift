// swift-tools-version: 6.2
// The layers of the house, from the bottom up. An arrow may only point down: a service never leans on another service, a driver knows
// nothing of the platform. `make lint` checks the imports that the linker would let through.
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

// Products of the packages we build on.
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
]
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")

func library(_ name: String, path: String, exclude: [String] = [], _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict)
}

func driverHeaders(_ name: String, _ providers: [SystemPackageProvider], pkgConfig: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Shared/\(name)", pkgConfig: pkgConfig, providers: providers)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies, path: "Tests/\(name)Tests", swiftSettings: strict)
}

// Layer 1: drivers.
let drivers: [Target] = [
    driverHeaders("CLibpq", [.apt(["libpq-dev"])], pkgConfig: "libpq"),
    driverHeaders("CHiredis", [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CFileSystems", path: "Shared/CFileSystems"),
    library("Postgres", path: "Shared/Postgres", ["CLibpq", log, lifecycle, collections] + nio),
    library(
        "Redis", path: "Shared/Redis",
        ["CHiredis", log, lifecycle, collections, crypto, .product(name: "NIOSSL", package: "swift-nio-ssl")] + nio),
]

// Layer 2: service kit.
let kit: [Target] = [
    library(
        "WebSocket", path: "Shared/WebSocket",
        [
            hummingbirdCore, httpTypes, log, crypto, .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
            .product(name: "NIOExtras", package: "swift-nio-extras"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"), .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        ] + nio),
    library(
        "ServiceKit", path: "Shared/ServiceKit",
        [
            "WebSocket", "Postgres", "Redis", hummingbird, httpClient, httpTypes, log, metrics, lifecycle, collections, crypto,
            .product(name: "Configuration", package: "swift-configuration"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        ] + nio),
    library(
        "Kubernetes", path: "Shared/Kubernetes",
        [
            "ServiceKit", "WebSocket", httpClient, log, lifecycle, crypto, httpTypes, .product(name: "Yams", package: "Yams"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOFoundationCompat", package: "swift-nio"),
        ] + nio),
]

// Layer 3: platform.
let platform: [Target] = [
    library("PlatformModel", path: "Shared/PlatformModel", [collections, crypto]),
    library(
        "Identity", path: "Shared/Identity",
        ["PlatformModel", "ServiceKit", hummingbird, httpClient, log, crypto, collections, .product(name: "JWTKit", package: "jwt-kit")]),
    library(
        "PlatformClients", path: "Shared/PlatformClients",
        [
            "Identity", "PlatformModel", "ServiceKit", "WebSocket", httpClient, httpTypes, log, lifecycle,
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ] + nio),
    // What is added to pods: by jobs-api where it makes them, or by a webhook of the service that knows the volumes.
    library(
        "Injection", path: "Shared/Injection",
        ["Kubernetes", "PlatformModel", "ServiceKit", "WebSocket", hummingbird, log, lifecycle, crypto]),
]

// Layer 4 and 5: a service is a library, so that tests hold it in-process, and a thin executable.
func service(_ folder: String, _ executable: String, _ more: [Target.Dependency] = []) -> [Target] {
    [
        library(
            "\(folder)Service", path: "Services/\(folder)", exclude: ["Main", "README.md"],
            ["PlatformClients", "Identity", "PlatformModel", "ServiceKit", hummingbird, log, lifecycle, collections] + more),
        .executableTarget(
            name: executable, dependencies: [.init(stringLiteral: "\(folder)Service"), "ServiceKit"], path: "Services/\(folder)/Main",
            swiftSettings: strict),
    ]
}
let services: [Target] =
    service(
        "Auth", "auth-api",
        [
            "Postgres", "Redis", crypto, httpClient, httpTypes, .product(name: "CryptoExtras", package: "swift-crypto"),
            .product(name: "JWTKit", package: "jwt-kit"), .product(name: "NIOPosix", package: "swift-nio"),
        ])
    + service("Config", "config-api", ["Postgres", crypto])
    + service("Admin", "admin-api", ["Postgres", "WebSocket", crypto])
    + service("Jobs", "jobs-api", ["Postgres", "Kubernetes", "Injection"])
    + service("Monitoring", "monitoring-api", ["Kubernetes", "WebSocket"])
    + service("Secrets", "secrets-api", ["Kubernetes", httpTypes, .product(name: "NIOCore", package: "swift-nio")])
    + service("Disk", "disk-api", ["Kubernetes", "Injection", crypto])
    + service("IngressAuth", "ingress-auth", ["Redis", httpClient, httpTypes, metrics, crypto] + nio)
    + service("Storage", "storage-api", ["CFileSystems", "WebSocket", "Kubernetes", "Injection", httpClient, httpTypes] + nio)

// The platform on one machine; never shipped in the charts.
let local: [Target] = [
    .systemLibrary(name: "CZlib", path: "Local/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CNamespaces", path: "Local/CNamespaces"),
    library(
        "LocalCertificates", path: "Local/Certificates",
        ["WebSocket", log, crypto, .product(name: "X509", package: "swift-certificates")]),
    // A cluster without a Kubernetes: its API over a file, its pods run by podman.
    library(
        "LocalCluster", path: "Local/Cluster", exclude: ["Main", "README.md"],
        [
            "CNamespaces", "CZlib", "Kubernetes", "LocalCertificates", "ServiceKit", "WebSocket", hummingbird, httpClient, httpTypes, log,
            lifecycle,
            collections,
            crypto, .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "Yams", package: "Yams"),
            .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "Subprocess", package: "swift-subprocess"),
        ] + nio),
    .executableTarget(
        name: "orrery-cluster", dependencies: ["LocalCluster", "ServiceKit"], path: "Local/Cluster/Main", swiftSettings: strict),
    .executableTarget(
        name: "orrery-local",
        dependencies: [
            "PlatformClients", "Identity", "PlatformModel", "ServiceKit", "Postgres", "Kubernetes", "LocalCertificates", log, lifecycle,
            httpClient, .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Subprocess", package: "swift-subprocess"),
        ], path: "Local/Stack", swiftSettings: strict),
    .executableTarget(
        name: "bench-baseline", dependencies: [hummingbird], path: "Local/Bench", exclude: ["run", "figures", "storage"],
        swiftSettings: strict),
]

let testing: [Target] = [
    .target(
        name: "TestSupport",
        dependencies: [
            "Postgres", "Redis", "ServiceKit", hummingbird, httpClient, log, httpTypes, .product(name: "NIOHTTP1", package: "swift-nio"),
        ] + nio,
        path: "Tests/Support", swiftSettings: strict),
    // The same above the services: what several services' tests set up alike. Nothing but tests may lean on it.
    .target(
        name: "ServiceTestSupport",
        dependencies: [
            "TestSupport", "AdminService", "Identity", "Kubernetes", "LocalCertificates", "LocalCluster", "PlatformClients",
            "PlatformModel", "ServiceKit", "WebSocket", hummingbird, httpClient, log, lifecycle,
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ],
        path: "Tests/ServiceSupport", swiftSettings: strict),
    tests("Postgres", ["TestSupport"]),
    tests("Redis", ["TestSupport"]),
    tests("WebSocket", [hummingbird, httpClient, lifecycle, crypto, .product(name: "NIOSSL", package: "swift-nio-ssl")]),
    // A service as a process, for the tests of start and stop.
    .executableTarget(
        name: "kit-probe", dependencies: ["ServiceKit", hummingbird], path: "Tests/ServiceKitProbe", swiftSettings: strict),
    tests("ServiceKit", ["TestSupport", "Postgres", "WebSocket", "kit-probe", hummingbird, httpClient, metrics, lifecycle]),
    tests("Kubernetes", [hummingbird, httpClient]),
    tests("PlatformModel", []),
    tests("Injection", ["PlatformModel", "Kubernetes"]),
    tests("Identity", ["TestSupport", hummingbird, hummingbirdTesting]),
    tests("PlatformClients", ["TestSupport", hummingbird]),
    tests(
        "AuthService",
        [
            "TestSupport", hummingbird, hummingbirdTesting, httpClient, crypto, .product(name: "JWTKit", package: "jwt-kit"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ]),
    tests("ConfigService", ["TestSupport", "AuthService", "AdminService", hummingbird]),
    tests("AdminService", ["TestSupport", "AuthService", "WebSocket", .product(name: "NIOCore", package: "swift-nio")]),
    tests("JobsService", ["TestSupport", "AuthService", "AdminService", "ConfigService", hummingbird, hummingbirdTesting]),
    tests("SecretsService", ["TestSupport", "ServiceTestSupport", "AuthService", httpClient]),
    tests("MonitoringService", ["TestSupport", "WebSocket", hummingbird, hummingbirdTesting]),
    tests(
        "DiskService",
        [
            "TestSupport", "ServiceTestSupport", "AuthService", "LocalCluster", "LocalCertificates", "Kubernetes", "Injection", hummingbird,
            httpClient, .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOCore", package: "swift-nio"),
        ]),
    tests(
        "IngressAuthService",
        [
            "TestSupport", "AuthService", "AdminService", "ConfigService", "JobsService", "Redis", "WebSocket", hummingbird, httpClient,
            httpTypes, crypto, .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
    tests(
        "StorageService",
        [
            "CFileSystems", "TestSupport", "ServiceTestSupport", "AuthService", "Identity", "Injection", "Kubernetes", "LocalCertificates",
            "PlatformClients", "PlatformModel", "ServiceKit", "WebSocket", hummingbird, httpClient, lifecycle,
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "Subprocess", package: "swift-subprocess"),
        ] + nio),
    // The matrix walks whatever is a service.
    .testTarget(
        name: "AuthorizationTests",
        dependencies: services.filter { $0.type == .regular }.map { .init(stringLiteral: $0.name) }
            + ["TestSupport", "Identity", "PlatformModel", "Postgres", "ServiceKit", hummingbird, httpClient, httpTypes],
        path: "Tests/AuthorizationTests", swiftSettings: strict),
    tests(
        "LocalCluster",
        [
            "TestSupport", "Kubernetes", "LocalCertificates", "WebSocket", hummingbird, httpClient,
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
]

let package = Package(
    name: "orrery",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: drivers + kit + platform + services + local + testing,
    swiftLanguageModes: [.v6]
)
