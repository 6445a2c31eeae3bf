import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// What stands in for a job that does not answer: nothing has that host name, or its container is still starting. It knows nothing of jobs, so
/// it is the same for both, and asks the gateway again until something else answers.
enum WaitingPage {
    /// A 5xx is a container on its way, or one that is down; anything else after that is worth a look. A page that was none from the start
    /// stays as it is. (A visitor whose session ended meanwhile gets 401 here, looks, and is sent to sign in.)
    private static let script = """
        let waited = false;
        setInterval(async () => {
          try {
            const answer = await fetch(location.href, {method: "HEAD", cache: "no-store", redirect: "manual"});
            if (answer.status >= 500) { waited = true; }
            else if (waited || answer.status !== 404) { location.reload(); }
          } catch {}
        }, 3000);
        """

    private static let policy: String = {
        let hash = Data(SHA256.hash(data: Data(script.utf8))).base64EncodedString()
        return "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-\(hash)'; connect-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'"
    }()

    private static let html = Page.document(
        title: "Nothing answers here",
        body: """
            <p>If your job has just been started, its container may still be on its way: this page looks again every few seconds. A job that has
            ended, or that serves no HTTP, has no page.</p>
            """,
        end: "<script>\(HTML(markup: script))</script>\n"
    ).text

    /// 404; the gateway puts the job's own 5xx in its place where it asked because of one.
    static var response: Response {
        Response(
            status: .notFound,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .referrerPolicy: "no-referrer", .frameOptions: "DENY", .contentSecurityPolicy: policy,
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}
