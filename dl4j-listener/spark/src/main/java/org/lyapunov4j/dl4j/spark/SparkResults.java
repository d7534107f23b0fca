// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What Spark jobs found.
 *
 * @param <T> a line of a record or a part of one
 * @param found results by name, in the order in which they were asked for
 * @param refused by name, why there is no result; these are tried again by the next run
 * @param complete false if the jobs were cancelled, or the Spark context stopped, before the end
 */
public record SparkResults<T>(Map<String, T> found, Map<String, String> refused, boolean complete) {
  /** {@inheritDoc} */
  public SparkResults {
    found = Collections.unmodifiableMap(new LinkedHashMap<>(found));
    refused = Collections.unmodifiableMap(new LinkedHashMap<>(refused));
  }
}
