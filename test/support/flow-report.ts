// Says at the end of a flow project how the person and the provider's cache behaved, so that a
// failure can be repeated.
import type { TestProject } from 'vitest/node';

export default function setup({ name, config }: TestProject): () => void {
  const { LATCHKEY_PERSON: person, LATCHKEY_AGES: seed } = config.env;
  return () => {
    const took = person === 'limit' ? 'almost all the time of an attempt' : `${person} s`;
    process.stdout.write(
      `${name}: the person took ${took}; repeat with LATCHKEY_AGES=${seed} --project ${name}\n`,
    );
  };
}
