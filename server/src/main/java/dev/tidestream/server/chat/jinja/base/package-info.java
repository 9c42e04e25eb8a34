/**
 * What all parts of the template engine share: where something stands, what went wrong, and how much may be done. Knows no other part.
 */
@NullMarked
package dev.tidestream.server.chat.jinja.base;

import org.jspecify.annotations.NullMarked;
