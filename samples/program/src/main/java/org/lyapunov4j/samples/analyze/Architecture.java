// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.analyze;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.samples.cli.Input;

/**
 * What all checkpoints of a run have in common.
 *
 * @param model class of the model
 * @param parameters P
 * @param shapes of the parameters by their names
 */
record Architecture(String model, long parameters, Map<String, String> shapes) {
  static Architecture of(Model model) {
    Map<String, String> shapes = new TreeMap<>();
    model.paramTable().forEach((name, array) -> shapes.put(name, Arrays.toString(array.shape())));
    return new Architecture(model.getClass().getName(), model.numParams(), shapes);
  }

  /** Refuses a model of another architecture. */
  void require(Model model) {
    Architecture other = of(model);
    Input.require(
        equals(other),
        "all models must have the architecture of the first, got %s, not %s; analyse it by itself",
        other.words(),
        words());
  }

  private String words() {
    return model.substring(model.lastIndexOf('.') + 1) + " " + shapes;
  }
}
