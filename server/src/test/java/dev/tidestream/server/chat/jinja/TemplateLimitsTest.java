package dev.tidestream.server.chat.jinja;

import java.time.LocalDateTime;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.base.TemplateException.Kind;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Templates that want too much, and where errors are. */
class TemplateLimitsTest {

    private static String render(String template) {
        return Template.parse(template, TemplateLimits.DEFAULT).render(Map.of(), LocalDateTime.of(2026, 1, 1, 0, 0), true).chars();
    }

    private static TemplateException failure(String template) {
        return assertThrows(TemplateException.class, () -> render(template), template);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for n in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 'a' * 99999999 }}",
        "{{ [1] * 99999999 }}",
        "{{ 'a' | center(99999999) }}",
        "{{ '%99999d' % 1 * 9999 }}",
        "{{ 'x'.replace('', 'y' * 4000000) }}",
        "{{ 2 ** 99999 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] "
        + "%}{% endfor %}"
                + "{{ ns.x == ns.y }}",
        "{% set ns = namespace(x=[]) %}{% set ns.x = ns %}{{ ns }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set l = [1] %}{% for i in range(99) %}{% set x = l.extend(l) %}{% endfor %}",
        "{% set l = [] %}{% set x = l.append(l) %}{{ l }}",
        "{{ [1, 2, 3] | batch(999999999, 0) | list }}",
        "{{ [1] | slice(99999999) | list }}",
        "{{ 1 | tojson(indent=99999999) }}",
    })
    void shouldStopATemplateThatWantsTooMuch(String template) {
        assertEquals(Kind.LIMIT, failure(template).kind());
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', value = {"(, )", "[, ]", "-,", "not,", "{'a':, }", "a(, )", "a[, ]", "'x'|f(, )", "1 if 1 else,"})
    void shouldNotReadExpressionsThatNestTooDeeply(String open, @Nullable String close) {
        String closing = close == null ? "" : close.repeat(100_000);
        assertEquals(Kind.LIMIT, failure("{{ " + (open + " ").repeat(100_000) + "1" + closing + " }}").kind());
    }

    @ParameterizedTest
    @ValueSource(strings = {" + 1", " ~ 1", ".a", "[0]", "()", " | string", " and 1", " or 0", " is defined", " * 1", " ** 1",
            " < 1", "_1"})
    void shouldBearLongExpressions(String piece) {
        String template = "{{ 1" + piece.repeat(50_000) + " }}";
        try {
            render(template);
        } catch (TemplateException e) {
            assertTrue(e.kind() != Kind.RAISED, e.getMessage());
        }
    }

    @Test
    void shouldNeedLittleStack() throws InterruptedException {
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        String body = "{% if 1 %}{% for x in [1] %}{% if [[[[m(n - 1)]]]] %}{% endif %}{% endfor %}{% endif %}";
        Thread thread = new Thread(null, () -> {
            try {
                render("{% macro m(n) %}" + body + "{% endmacro %}{{ m(9999) }}");
            } catch (TemplateException | StackOverflowError e) {
                thrown.set(e);
            }
        }, "little stack", 512 * 1024);
        thread.start();
        thread.join();
        assertTrue(thrown.get() instanceof TemplateException e && e.kind() == Kind.LIMIT, String.valueOf(thrown.get()));
    }

    @Test
    void shouldSayWhereAndWhat() {
        TemplateException unknown = failure("a\nb {{ 'x'\n  | nofilter }}");
        assertEquals("line 3, column 5: No filter named 'nofilter'", unknown.getMessage());
        assertEquals(new Position(2, 14), failure("{% set a = 1 %}\n{{ a + 1 + b.c }}").position().orElseThrow());
        assertEquals("line 1, column 4: Encountered unknown tag 'nosuchtag'", failure("{% nosuchtag %}").getMessage());
        assertEquals("line 2, column 8: 'nope' is undefined", failure("\n{{ nope() }}").getMessage());
        TemplateException raised = failure("{{ raise_exception('roles must alternate') }}");
        assertEquals(Kind.RAISED, raised.kind());
        assertEquals("roles must alternate", raised.reason());
    }
}
