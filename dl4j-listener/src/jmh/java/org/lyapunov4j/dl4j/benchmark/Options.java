// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.util.Map;
import java.util.TreeMap;

/** {@code --name value} pairs. */
final class Options {
  private final Map<String, String> values;

  Options(String[] args, Map<String, String> defaults) {
    values = new TreeMap<>(defaults);
    for (int i = 0; i < args.length; i += 2) {
      String name = args[i].replaceFirst("^--", "");
      if (!values.containsKey(name) || i + 1 == args.length) {
        throw new IllegalArgumentException(
            "options must be pairs of " + values.keySet() + " with values, got " + args[i]);
      }
      values.put(name, args[i + 1]);
    }
  }

  String text(String name) {
    return values.get(name);
  }

  double number(String name) {
    return Double.parseDouble(values.get(name));
  }
}
