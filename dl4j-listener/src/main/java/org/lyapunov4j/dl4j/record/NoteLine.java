// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the program that trains had to say, in words of its own.
 *
 * @param time when
 * @param details names and values
 */
public record NoteLine(Instant time, Map<String, Object> details) implements RecordLine {
  /** {@inheritDoc} */
  public NoteLine {
    details =
        details == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(details));
  }
}
