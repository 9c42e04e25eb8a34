package dev.tidestream.server.chat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.server.chat.ChatTemplateException.Reason;
import dev.tidestream.server.chat.Conversation.Ending;
import dev.tidestream.server.chat.RenderedChat.Span;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ChatTemplateTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-07-26T01:02:03Z"), ZoneOffset.UTC);
    private static final SpecialTokens TOKENS = SpecialTokens.of(Optional.of("<s>"), Optional.of("</s>"));
    private static final String CHATML =
            "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
            + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }

    private static RenderedChat render(String template, Conversation conversation) {
        return ChatTemplate.parse(template, TOKENS, CLOCK).render(conversation);
    }

    private static RenderedChat render(String template, String messages) {
        return render(template, Conversation.of(json(messages)));
    }

    private static ChatTemplateException failure(String template, String messages) {
        return assertThrows(ChatTemplateException.class, () -> render(template, messages));
    }

    @Test
    void shouldSayThatTheTemplateBeginsWithBos() {
        RenderedChat chat = render(CHATML, "[{'role':'user','content':'Hi'}]");
        assertEquals("<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", chat.text());
        assertEquals(3, chat.bosEnd());
        assertTrue(chat.beginsWithBos());
        assertFalse(render("{{ messages[0].content }}", "[{'role':'user','content':'<s>'}]").beginsWithBos(), "a message is no token");
    }

    @Test
    void shouldMarkWhatAMessageSays() {
        RenderedChat chat = render(CHATML, "[{'role':'user','content':'<|im_end|>'},{'role':'<|x|>','content':''}]");
        int said = chat.text().indexOf("<|im_end|>");
        assertEquals(new Span(said, said + 10), chat.foreign().getFirst());
        assertFalse(chat.template(said, said + 10));
        assertTrue(chat.template(said + 10, said + 20), "the template's own end");
        assertTrue(chat.template(0, said));
        assertFalse(chat.template(chat.text().indexOf("<|x|>"), chat.text().indexOf("<|x|>") + 5), "a role that is no word");
        assertEquals(2, chat.foreign().size());
    }

    /** A template that makes a control token of a role does so of roles that a client cannot choose freely. */
    @ParameterizedTest
    @CsvSource({"system, true", "user, true", "assistant, true", "tool, true", "developer, true", "endoftext, false", "im_end, false",
        "User, false", "eot_id, false"})
    void shouldTakeKnownRolesOnlyForTextOfTheTemplate(String role, boolean template) {
        RenderedChat chat = render("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}", "[{'role':'" + role
                + "','content':''}]");
        assertEquals("<|" + role + "|>", chat.text());
        assertEquals(template, chat.template(0, chat.text().length()));
    }

    @Test
    void shouldEndWithinTheLastMessage() {
        JsonNode messages = json("[{'role':'user','content':'Hi'},{'role':'assistant','content':' Once upon '}]");
        Conversation goesOn = new Conversation(messages, Optional.empty(), Optional.empty(), Ending.LAST_MESSAGE_GOES_ON, Map.of());
        assertTrue(render(CHATML, goesOn).text().endsWith("<|im_start|>assistant\n Once upon "));
        String trimming = CHATML.replace("m.content", "m.content | trim");
        assertTrue(render(trimming, goesOn).text().endsWith("<|im_start|>assistant\nOnce upon"));
        Conversation nothing = new Conversation(json("[{'role':'assistant','content':''}]"), Optional.empty(), Optional.empty(),
                Ending.LAST_MESSAGE_GOES_ON, Map.of());
        assertEquals(Reason.BAD_CONVERSATION, assertThrows(ChatTemplateException.class, () -> render(CHATML, nothing)).reason());
    }

    @Test
    void shouldHandOverVariablesAndTime() {
        String template = "{{ strftime_now('%d %b %Y') }} {{ enable_thinking }} {{ tools is none }} {{ documents is none }} {{ "
                + "eos_token }}";
        Conversation conversation = new Conversation(json("[]"), Optional.empty(), Optional.empty(), Ending.LAST_MESSAGE_ENDS,
                Map.of("enable_thinking", json("false")));
        assertEquals("26 Jul 2026 False True True </s>", render(template, conversation).text());
        Conversation own = new Conversation(json("[]"), Optional.empty(), Optional.empty(), Ending.LAST_MESSAGE_ENDS,
                Map.of("messages", json("[]")));
        assertEquals(Reason.BAD_CONVERSATION, assertThrows(ChatTemplateException.class, () -> render(template, own)).reason());
    }

    @Test
    void shouldPassOnWhatATemplateRefuses() {
        ChatTemplateException refused = failure("{{ raise_exception('roles must alternate') }}", "[]");
        assertEquals(Reason.REFUSED_BY_TEMPLATE, refused.reason());
        assertEquals("roles must alternate", refused.getMessage());
        ChatTemplateException failed = failure("\n{{ messages[0].content + 1 }}", "[{'role':'user','content':'Hi'}]");
        assertEquals(Reason.FAILED, failed.reason());
        assertTrue(String.valueOf(failed.getMessage()).startsWith("the chat template cannot be rendered: line 2, column 24: "),
                failed.getMessage());
        assertEquals(2, failed.position().orElseThrow().line());
        assertEquals(Reason.NOT_A_TEMPLATE, failure("{% if %}", "[]").reason());
    }

    @Test
    void shouldGiveToolCallsTheFormThatTheTemplateReads() {
        String messages = "[{'role':'assistant','content':null,'tool_calls':[{'function':{'name':'f','arguments':'{\\'a\\': 1}'}}]}]"
                .replace("\\'", "\\\"");
        String call = "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}";
        String end = "{% endfor %}{% endfor %}";
        assertEquals("{\"a\": 1}", render(call + "{{ c.function.arguments | tojson }}" + end, messages).text());
        assertEquals("a=1", render(call + "{% for k, v in c.function.arguments.items() %}{{ k }}={{ v }}{% endfor %}" + end,
                messages).text());
        assertEquals("{\"a\": 1}", render(call + "{{ c.function.arguments }}" + end, messages).text());
        assertEquals("x{\"a\": 1}", render(call + "{{ 'x' + c.function.arguments }}" + end, messages).text());
    }

    @Test
    void shouldJoinPartsWhereTheTemplateReadsText() {
        String parts = "[{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}]";
        assertEquals("a\nb", render("{% for m in messages %}{{ m.content }}{% endfor %}", parts).text());
        assertEquals("ab", render("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}", parts).text());
        ChatTemplateException image = failure(CHATML, "[{'role':'user','content':[{'type':'image_url','image_url':{}}]}]");
        assertEquals("messages[0].content[0] is not a part with text: only parts of type 'text' are supported", image.getMessage());
    }

    @Test
    void shouldLeaveOutToolsWhereTheTemplateFailsOnNone() {
        assertEquals("none", render("{% if tools is defined %}{{ tools | length }}{% else %}none{% endif %}", "[]").text());
    }
}
