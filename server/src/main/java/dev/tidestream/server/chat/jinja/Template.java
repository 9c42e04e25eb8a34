package dev.tidestream.server.chat.jinja;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.run.Evaluator;
import dev.tidestream.server.chat.jinja.run.Rendering;
import dev.tidestream.server.chat.jinja.syntax.Parser;
import dev.tidestream.server.chat.jinja.syntax.Statement;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/** A template that has been read. Immutable; rendered by any number of threads at once. */
public final class Template {
    private final List<Statement> statements;
    private final TemplateLimits limits;

    private Template(List<Statement> statements, TemplateLimits limits) {
        this.statements = statements;
        this.limits = limits;
    }

    /**
     * Reads a template.
     *
     * @throws TemplateException if it is none or is more than the limits allow; it says where
     */
    public static Template parse(String source, TemplateLimits limits) {
        return new Template(Parser.parse(source, limits), limits);
    }

    /**
     * Renders it.
     *
     * @param variables used by this rendering alone: lists and objects may change if {@code changes} says so
     * @param now what {@code strftime_now} tells
     * @param changes whether a template may append to lists and set keys of objects, which transformers refuses
     * @throws TemplateException if it cannot be rendered, or raises an exception itself; it says where
     */
    public Text render(Map<String, Value> variables, LocalDateTime now, boolean changes) {
        return Evaluator.render(statements, variables, new Rendering(new Budget(limits), now, changes));
    }
}
