/**
 * Renders the tree of a template: {@link dev.tidestream.server.chat.jinja.run.Evaluator}, and the filters, tests, methods and functions that
 * there are. Nothing is looked up by reflection: what is not written down here does not exist for a template.
 */
@NullMarked
package dev.tidestream.server.chat.jinja.run;

import org.jspecify.annotations.NullMarked;
