package dev.tidestream.server.chat.jinja.syntax;

import java.util.List;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.syntax.Token.Kind;

/** Tokens in order, for both parsers, and how deep they are. One thread. */
final class TokenStream {
    private final List<Token> tokens;
    private final int maxNesting;
    private int at;
    private int depth;

    TokenStream(String template, TemplateLimits limits) {
        if (template.length() > limits.maxTemplateChars()) {
            throw new TemplateException(TemplateException.Kind.LIMIT,
                    "the template is too long: characters=" + template.length() + ", limit=" + limits.maxTemplateChars());
        }
        this.tokens = Lexer.tokens(template);
        this.maxNesting = limits.maxNesting();
    }

    Token current() {
        return tokens.get(at);
    }

    /** The one after the current one. */
    Token look() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    /** The current one; the next one is current then. */
    Token next() {
        Token token = current();
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean skipOperator(String signs) {
        boolean there = current().isOperator(signs);
        if (there) {
            next();
        }
        return there;
    }

    boolean skipName(String name) {
        boolean there = current().isName(name);
        if (there) {
            next();
        }
        return there;
    }

    void expectOperator(String signs) {
        if (!skipOperator(signs)) {
            throw error("expected '" + signs + "', got " + current().describe());
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw error("expected '" + name + "', got " + current().describe());
        }
    }

    Token expect(Kind kind) {
        if (!current().is(kind)) {
            throw error("expected " + kind.words + ", got " + current().describe());
        }
        return next();
    }

    void enter() {
        if (++depth > maxNesting) {
            throw new TemplateException(TemplateException.Kind.LIMIT, "the template nests too deeply: depth>" + maxNesting, current().at());
        }
    }

    void leave() {
        depth--;
    }

    TemplateException error(String reason) {
        return error(reason, current().at());
    }

    static TemplateException error(String reason, Position at) {
        return new TemplateException(TemplateException.Kind.SYNTAX, reason, at);
    }
}
