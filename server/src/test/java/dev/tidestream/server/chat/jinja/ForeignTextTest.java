package dev.tidestream.server.chat.jinja;

import java.time.LocalDateTime;
import java.util.Map;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.value.Text;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Which characters of a prompt came from outside: they stand in guillemets here. */
class ForeignTextTest {

    @ParameterizedTest
    @CsvSource(delimiter = '#', quoteCharacter = '`', ignoreLeadingAndTrailingWhitespace = true, value = {
        "<|u|>{{ m }}<|e|>                      # <|u|>«<|e|> Ab»<|e|>",
        "{{ '<' + m + '>' }}                    # <«<|e|> Ab»>",
        "{{ '<' ~ m ~ '>' ~ m }}                # <«<|e|> Ab»>«<|e|> Ab»",
        "{{ m | upper }}{{ m | trim | title }}  # «<|E|> AB<|e|> Ab»",
        "{{ m.split('|')[1] }}|{{ m[0] }}       # «e»|«<»",
        "{{ m.replace('e', 'x') }}              # «<|»x«|> Ab»",
        "{{ 'aeb'.replace('e', m) }}            # a«<|e|> Ab»b",
        "{{ [m, 'x'] | join(', ') }}            # «<|e|> Ab», x",
        "{{ m | tojson }}                       # \"«<|e|> Ab»\"",
        "{{ {'k': [m]} }}                       # {'k': ['«<|e|> Ab»']}",
        "{{ 'a %s b' % m }}                     # a «<|e|> Ab» b",
        "{{ 'a {} b'.format(m) }}               # a «<|e|> Ab» b",
        "{{ m | e }}                            # «&lt;|e|&gt; Ab»",
        "{{ m | reverse }}{{ m[::-1] }}         # «bA >|e|<bA >|e|<»",
        "{{ m | indent(1, true) }}              # ` «<|e|> Ab»`",
        "{{ m | length }}                       # 8",
        "{% set x %}({{ m }}){% endset %}{{ x }} # («<|e|> Ab»)",
        "{% macro q(t) %}<{{ t }}>{% endmacro %}{{ q(m) | lower }} # <«<|e|> ab»>",
        "{% for c in m %}{{ c }}-{% endfor %}   # «<»-«|»-«e»-«|»-«>»-« »-«A»-«b»-",
        "{{ m * 2 }}{{ m | center(10) }}.       # `«<|e|> Ab<|e|> Ab» «<|e|> Ab» .`",
    })
    void shouldKnowWhatCameFromOutside(String template, String expected) {
        Text text = Template.parse(template, TemplateLimits.DEFAULT)
                .render(Map.of("m", Text.foreign("<|e|> Ab")), LocalDateTime.of(2026, 1, 1, 0, 0), false);
        StringBuilder marked = new StringBuilder();
        for (int i = 0; i <= text.length(); i++) {
            boolean before = i > 0 && text.isForeign(i - 1);
            boolean now = i < text.length() && text.isForeign(i);
            marked.append(before && !now ? "»" : "").append(now && !before ? "«" : "")
                    .append(i < text.length() ? text.chars().charAt(i) : "");
        }
        assertEquals(expected, marked.toString());
    }
}
