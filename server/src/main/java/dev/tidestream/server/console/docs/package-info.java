/**
 * The documentation as a small site: the repository's Markdown, from the jar, made into pages when they are first asked for. On workers;
 * what is made is immutable. Knows of the server what a page does, that there are endpoints.
 */
@NullMarked
package dev.tidestream.server.console.docs;

import org.jspecify.annotations.NullMarked;
