package dev.tidestream.server.chat.jinja.syntax;

import dev.tidestream.server.chat.jinja.base.Position;

/**
 * A piece of a template.
 *
 * @param text the text itself, of a string what it stands for, of an operator its signs
 */
record Token(Kind kind, String text, Position at) {

    enum Kind {
        DATA("text"),
        PRINT_BEGIN("begin of print statement"),
        PRINT_END("end of print statement"),
        BLOCK_BEGIN("begin of statement block"),
        BLOCK_END("end of statement block"),
        NAME("name"),
        STRING("string"),
        INTEGER("integer"),
        REAL("float"),
        OPERATOR("operator"),
        END("end of template");

        final String words;

        Kind(String words) {
            this.words = words;
        }
    }

    boolean is(Kind other) {
        return kind == other;
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String signs) {
        return kind == Kind.OPERATOR && text.equals(signs);
    }

    /** As errors name it. */
    String describe() {
        return switch (kind) {
            case NAME, OPERATOR, INTEGER, REAL -> "'" + text + "'";
            case DATA, PRINT_BEGIN, PRINT_END, BLOCK_BEGIN, BLOCK_END, STRING, END -> kind.words;
        };
    }
}
