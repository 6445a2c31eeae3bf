import ServiceKit
import Testing

struct HTMLTests {
    @Test func whatIsInterpolatedIsTextAndNothingElse() {
        let bad = "</p><script>alert('1')</script>\" onload=\"x&y"
        let markup: HTML = "<p title=\"\(bad)\">\(bad.prefix(4)) \(7)</p>"
        #expect(
            markup.text
                == "<p title=\"&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;y\">&lt;/p&gt; 7</p>")
        // A letter with a mark of its own does not hide a sign from escaping.
        #expect(("\("<\u{301}")" as HTML).text == "&lt;\u{301}")
    }

    @Test func markupStaysMarkup() {
        let item: HTML = "<li>\("a&b")</li>"
        let none: HTML? = nil
        #expect(
            ("<ul>\(item)\(none)\(HTML.joined([item, item]))</ul>" as HTML).text == "<ul>" + String(repeating: "<li>a&amp;b</li>", count: 3)
                + "</ul>")
    }

    @Test func aDocumentSaysWhatItIs() {
        let page = HTML.document(title: "You & I", of: "Site", head: "<style></style>", body: "<p>x</p>").text
        #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">") && page.contains("<title>You &amp; I – Site</title>"))
        #expect(page.components(separatedBy: "<h1>").count == 2 && page.contains("<h1>You &amp; I</h1>"))
        #expect(HTML.document(title: "T", head: "", body: "").text.contains("<title>T</title>"))
    }
}
