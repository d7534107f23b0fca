// SPDX-License-Identifier: Apache-2.0
/** Command line program with the sample experiments. */
package org.lyapunov4j.samples;
