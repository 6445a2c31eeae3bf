/// The looks of sign-in: readable in light and dark, with a visible focus.
enum StyleSheet {
    static let text = """
        :root { color-scheme: light dark; --ink: #1b1f24; --paper: #f4f5f7; --card: #ffffff; --line: #6b7480; --accent: #0b57c2; --on: #ffffff; --bad: #a40e26; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #eceff3; --paper: #14171b; --card: #1d2228; --line: #8b96a3; --accent: #8ab8ff; --on: #0b1a30; --bad: #ff9aa5; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
        main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: var(--card); border-radius: .75rem; }
        h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.25; }
        .brand { margin: 0 0 .25rem; font-weight: 600; letter-spacing: .04em; }
        label { display: block; margin-top: 1rem; font-weight: 600; }
        input { width: 100%; margin-top: .25rem; padding: .6rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .4rem; }
        button, .button { display: block; width: 100%; margin-top: 1.25rem; padding: .65rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none; color: var(--on); background: var(--accent); border: 1px solid var(--accent); border-radius: .4rem; cursor: pointer; }
        .button, .quiet { color: var(--accent); background: transparent; }
        a { color: var(--accent); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .error { color: var(--bad); font-weight: 600; }
        .hint { margin: .25rem 0 0; font-size: .9rem; }
        .code { display: block; padding: .75rem; overflow-wrap: anywhere; user-select: all; font: 1rem/1.4 ui-monospace, monospace; border: 1px dashed var(--line); border-radius: .4rem; }
        hr { margin: 1.5rem 0 0; border: 0; border-top: 1px solid var(--line); }

        """
}
