import Foundation
import LocalCertificates
import Logging
import ServiceLifecycle

/// Renews the API's certificate while the cluster runs.
struct CertificateKeeper: Service {
    let certificates: ServerCertificates
    let logger: Logger
    var interval = Duration.seconds(12 * 3600)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: interval)
                do {
                    if try certificates.renew() { logger.notice("The API's certificate has been renewed") }
                } catch {
                    logger.error("The API's certificate could not be renewed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
