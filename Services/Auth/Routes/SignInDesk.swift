import Foundation
import Hummingbird
import Logging
import Postgres
import ServiceKit

/// What the pages of sign-in share.
struct SignInDesk: Sendable {
    let settings: OAuthSettings
    let server: AuthorizationServer
    let signIn: SignIn
    let accounts: Accounts
    let broker: Broker
    let origins: RequestOrigins

    init(_ context: ServiceContext, _ oauth: OAuthSettings, directory: Directory, pool: PostgresPool) throws {
        if context.settings.optional("public.url") == nil {
            context.logger.notice(
                "ORRERY_PUBLIC_URL is not set: people can sign in on this machine alone", metadata: ["at": "\(oauth.issuer)"])
        }
        let cost = try context.settings.int("password.cost", default: 15)
        guard (10...20).contains(cost) else { throw SettingError("ORRERY_PASSWORD_COST is \(cost); expected 10 to 20.") }
        let hasher = PasswordHasher(parameters: .init(cost: cost))
        let store = AccountStore(pool: pool)
        let sessions = SessionStore(pool: pool, lifetime: oauth.sessionLifetime)
        let throttle = Throttle(pool: pool)
        settings = oauth
        origins = try RequestOrigins(proxies: context.settings.string("trusted.proxies", default: "127.0.0.1,::1"))
        signIn = SignIn(
            judge: directory.judge, accounts: store, sessions: sessions, hasher: hasher, throttle: throttle, audit: directory.audit)
        accounts = Accounts(
            directory: directory, store: store, sessions: sessions, hasher: hasher, throttle: throttle, audit: directory.audit,
            settings: oauth)
        server = AuthorizationServer(
            settings: oauth, clients: try OAuthClients(context.settings, oauth),
            codes: CodeStore(pool: pool, refreshIdleLifetime: oauth.refreshIdleLifetime), accounts: store, signIn: signIn,
            throttle: throttle, keys: directory.keys, audit: directory.audit)
        broker = Broker(
            providers: try ProviderSettings.all(context.settings).map { Provider($0, http: context.http) }, accounts: store, signIn: signIn,
            directory: directory, settings: oauth, logger: context.logger)
    }

    var cookies: BrowserCookies { BrowserCookies(isSecure: settings.isSecure, sessionLifetime: settings.sessionLifetime) }

    func session(of request: Request) async throws -> Session? { try await signIn.session(cookies.session(of: request)) }

    /// - Throws: ``PageError`` for a target that is none of ours.
    func returnTarget(_ text: String?) throws -> ReturnTarget {
        guard let target = ReturnTarget(text, clients: server.clients, audience: settings.audience) else {
            throw PageError(.badRequest, "This sign-in does not lead anywhere. Start again from the program that sent you here.")
        }
        return target
    }

    func form(_ request: Request) async throws -> (SignInForm, browser: OpaqueToken) {
        let browser = cookies.knownBrowser(of: request)
        let form = try await SignInForm(request, browser: browser)
        return (form, browser ?? OpaqueToken(""))
    }

    /// Replaces whatever session the browser had: an old session's id is never carried into a new one.
    func enter(_ session: OpaqueToken, from request: Request, to target: ReturnTarget) async throws -> Response {
        if let old = cookies.session(of: request) { try await signIn.sessions.replace(old) }
        if request.method == .post, !target.isOurs {
            return Page.onward(to: target).response(cookies: [cookies.settingSession(session)])
        }
        return .seeOther(target.path, cookies: [cookies.settingSession(session)])
    }

    func providerLinks(_ target: ReturnTarget) -> [ProviderLink] {
        broker.providers.map { provider in
            ProviderLink(name: provider.settings.name, url: target.link(from: SignInPaths.provider(provider.settings.id)))
        }
    }
}
