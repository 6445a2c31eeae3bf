import GRDB
import X509
