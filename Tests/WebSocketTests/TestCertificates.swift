/// A certificate authority of these tests' own, with a server (127.0.0.1, localhost) and a client certificate, valid until the 22nd century.
enum TestCertificates {
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBezCCASGgAwIBAgIUSek46b1SulfNlT6dF6hb9kgMVDIwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjEwNjA4NTZaGA8yMTI2MTAyODA2
        MDg1NlowEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH
        A0IABHtCmi5W1d18ADXfpqbIHX9w6lSVbkSREX6MU2rB5EwY6IhpsqQu3U/2n8Oy
        Egn32R5A8lelNhxPa4b+YwAuW8KjUzBRMB0GA1UdDgQWBBTLosoBGmHTbY1t9wUH
        UoMTWd8agzAfBgNVHSMEGDAWgBTLosoBGmHTbY1t9wUHUoMTWd8agzAPBgNVHRMB
        Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCe+L+BG+mfSww0KHXF7I9wmqyp
        PrX/uW3GRzhNqKn5wwIgL3+95C5l8OBBeXb/3fTjQBUIJCexuNRYOjrwkSTmKNY=
        -----END CERTIFICATE-----
        """
    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBhTCCASugAwIBAgIUcSFZrdfATkuMp8KRDfRyHeHabd0wCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjEwNjA4NTZaGA8yMTI2MTAyODA2
        MDg1NlowETEPMA0GA1UEAwwGc2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
        QgAEUy5zF3fhu1hNYgn2Tf8fM+KU55DguXdXWa+1875tlOyBdtD2luy4bFpyhY0E
        aznCISx1bXoVCuEi+WBgOglysaNeMFwwGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxo
        b3N0MB0GA1UdDgQWBBTVl+6Bpkbth+8wNiPsQI73fmxphjAfBgNVHSMEGDAWgBTL
        osoBGmHTbY1t9wUHUoMTWd8agzAKBggqhkjOPQQDAgNIADBFAiEA+tYqYAhaYMJA
        hJnyxLVi8Emk2bohrO6j6WbgZtdvl+QCIGk0jq8GNO7PbDenAomphnmMthPE/OXA
        TCQboTYwcpcr
        -----END CERTIFICATE-----
        """
    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCdhNGxt2z4oSJeza
        hXSa9wVJUaiGzFW3ay0EHZZ+JH+hRANCAARTLnMXd+G7WE1iCfZN/x8z4pTnkOC5
        d1dZr7Xzvm2U7IF20PaW7LhsWnKFjQRrOcIhLHVtehUK4SL5YGA6CXKx
        -----END PRIVATE KEY-----
        """
    static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBhTCCASugAwIBAgIUcSFZrdfATkuMp8KRDfRyHeHabd4wCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjEwNjA4NTZaGA8yMTI2MTAyODA2
        MDg1NlowETEPMA0GA1UEAwwGY2xpZW50MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
        QgAEwWppOaF1JLLAqbiQb5Vj467lOJp2a4RsYorA+JhzEEMcj0Ss4XsvpZq6QU4N
        Q/N6ScMlRcNDH98YBczJAhAngaNeMFwwGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxo
        b3N0MB0GA1UdDgQWBBRBYgzfB6zknHQjs+wJQjSjVy0HljAfBgNVHSMEGDAWgBTL
        osoBGmHTbY1t9wUHUoMTWd8agzAKBggqhkjOPQQDAgNIADBFAiByvjB8AsUy/5UE
        jZJsHBCtTvJ7JLyr3cOrjL9au0LvbwIhAOmVofG+OdrfqKeoha+Fx695DTbVWLgA
        J2gKL7wXgjzJ
        -----END CERTIFICATE-----
        """
    static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT/cdHYDxumfPOT2g
        DkDkh48wTOVGK1AqbT8wqbjLw1uhRANCAATBamk5oXUkssCpuJBvlWPjruU4mnZr
        hGxiisD4mHMQQxyPRKzhey+lmrpBTg1D83pJwyVFw0Mf3xgFzMkCECeB
        -----END PRIVATE KEY-----
        """
}
