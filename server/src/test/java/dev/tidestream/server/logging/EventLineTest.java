package dev.tidestream.server.logging;

import java.util.Locale;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class EventLineTest {

    @Test
    void shouldWriteWordsPlainlyAndEverythingElseQuoted() {
        EventLine line = EventLine.of("update").with("outcome", "committed")
                .with(new Caller("a3", "[::1]:50312", "0f1e2d3c")).with("version", 4).with("repeated", false)
                .with("processor", "AMD \"EPYC\"").with("nothing", (Object) null).with("empty", "");
        assertEquals("update outcome=committed connection=a3 remote=[::1]:50312 token=0f1e2d3c version=4 repeated=false"
                + " processor=\"AMD \\\"EPYC\\\"\" empty=\"\"", line.toString());
        assertEquals("token outcome=refused remote=10.0.0.1:1", EventLine.of("token").with("outcome", "refused")
                .with(new Caller(null, "10.0.0.1:1", null)).toString());
    }

    @Test
    void shouldKeepTextOfClientsInItsQuotationMarks() {
        assertEquals("refused id=\"a\\\" outcome=committed\\n\\u001b[2J\\\\\"",
                EventLine.of("refused").withText("id", "a\" outcome=committed\n\u001b[2J\\").toString());
        assertEquals("refused id=\"plain\"", EventLine.of("refused").withText("id", "plain").withText("none", null).toString());
    }

    @Test
    void shouldCutWhatIsLongerThanAnybodyNeeds() {
        String longest = "x".repeat(EventLine.MAX_TEXT_CHARS);
        assertEquals("r id=\"" + longest + "\"", EventLine.of("r").withText("id", longest).toString());
        assertEquals("r id=\"" + longest + "…\"", EventLine.of("r").withText("id", longest + "y").toString());
        String splitPair = "x".repeat(EventLine.MAX_TEXT_CHARS - 1) + "😀y";
        assertEquals("r id=\"" + "x".repeat(EventLine.MAX_TEXT_CHARS - 1) + "…\"", EventLine.of("r").withText("id", splitPair).toString());
    }

    @Test
    void shouldWriteAsciiDigitsWhateverTheLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertEquals("loaded ms=1234567", EventLine.of("loaded").with("ms", 1234567).toString());
        } finally {
            Locale.setDefault(before);
        }
    }
}
