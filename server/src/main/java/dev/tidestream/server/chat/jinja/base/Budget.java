package dev.tidestream.server.chat.jinja.base;

/** What one rendering has used of its {@link TemplateLimits}. One thread. */
public final class Budget {
    private final TemplateLimits limits;
    private long work;
    private int depth;
    private int iterations;

    public Budget(TemplateLimits limits) {
        this.limits = limits;
    }

    public TemplateLimits limits() {
        return limits;
    }

    /** Counts steps. */
    public void charge(long steps) {
        work += steps;
        if (work > limits.maxWork()) {
            throw limit("the template does too much: steps>" + limits.maxWork());
        }
    }

    /** Counts elements of lists that are made: each is 16 steps, so that steps bound memory, too. */
    public void elements(long count) {
        charge(16 * count);
    }

    /** One level deeper; {@link #leave} ends it. */
    public void enter() {
        charge(1);
        if (++depth > limits.maxDepth()) {
            throw limit("the template nests or calls itself too deeply: depth>" + limits.maxDepth());
        }
    }

    public void leave() {
        depth--;
    }

    /** One round of a loop. */
    public void iteration() {
        charge(1);
        if (++iterations > limits.maxIterations()) {
            throw limit("loops go round too often: rounds>" + limits.maxIterations());
        }
    }

    /** Checks how deep a value is nested that is being walked. */
    public void valueDepth(int levels) {
        charge(1);
        if (levels > limits.maxValueDepth()) {
            throw limit("a value is nested too deeply: depth>" + limits.maxValueDepth());
        }
    }

    /** Counts characters of a text that has {@code total} with them. */
    public void text(int added, long total) {
        charge(added);
        if (total > limits.maxTextChars()) {
            throw limit("a text becomes too long: characters>" + limits.maxTextChars());
        }
    }

    /** Something is more than may be. */
    public static TemplateException limit(String reason) {
        return new TemplateException(TemplateException.Kind.LIMIT, reason);
    }
}
