// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.List;

/**
 * What an experiment says.
 *
 * @param sentences computed from the results
 * @param tables for people and programs
 * @param pictures for people
 */
record Findings(List<String> sentences, List<Table> tables, List<Picture> pictures) {
  Findings {
    sentences = List.copyOf(sentences);
    tables = List.copyOf(tables);
    pictures = List.copyOf(pictures);
  }
}
