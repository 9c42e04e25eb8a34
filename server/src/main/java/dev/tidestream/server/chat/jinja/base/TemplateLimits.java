package dev.tidestream.server.chat.jinja.base;

/**
 * How much a template may be and do. A template comes with a model and messages come from anybody, so everything that grows has a bound.
 *
 * @param maxTemplateChars longest template, in UTF-16 code units
 * @param maxNesting deepest nesting of blocks and of expressions in the text of a template
 * @param maxDepth deepest evaluation: nested statements, expressions and macro calls together. The stack of a thread must do for it
 * @param maxValueDepth deepest nesting of lists and objects that is printed, compared or handed over
 * @param maxIterations most rounds of all loops of one rendering together
 * @param maxTextChars longest text that is made at any time, and so the longest output, in UTF-16 code units
 * @param maxWork most steps of one rendering: an expression is one, a character that is made, copied or
 *     compared is one, an element of a list that is made is 16. So it bounds memory, too: some 2 bytes for each
 */
public record TemplateLimits(
        int maxTemplateChars, int maxNesting, int maxDepth, int maxValueDepth, int maxIterations, int maxTextChars, long maxWork) {

    /** Some fifty times what the largest known templates need for long chats. */
    public static final TemplateLimits DEFAULT =
            new TemplateLimits(1 << 20, 100, 300, 100, 1_000_000, 4 << 20, 50_000_000L);
}
