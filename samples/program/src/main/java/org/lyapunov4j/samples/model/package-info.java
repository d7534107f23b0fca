// SPDX-License-Identifier: Apache-2.0
/** Saved models, read from files that nobody vouches for, and the native threads they run on. */
package org.lyapunov4j.samples.model;
