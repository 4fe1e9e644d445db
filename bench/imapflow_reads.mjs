// The peer of far_sync: ImapFlow, used well. Headers and structure of all messages in ranges of 500, then the first
// text part of those up to a UID, asked for by section. Prints one JSON line: messages, seconds on the wall, seconds of processor.
// node imapflow_reads.mjs PORT CA_FILE USER PASSWORD LAST_UID_WITH_TEXT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const { ImapFlow } = createRequire(process.cwd() + '/')('imapflow');

const [port, ca, user, pass, lastText] = process.argv.slice(2);
const client = new ImapFlow({
    host: 'localhost', port: Number(port), secure: true, auth: { user, pass },
    tls: { ca: readFileSync(ca) }, logger: false,
});
const AT_ONCE = 500;

function textSection(node) {
    if (node.type === 'text/plain') return node.part || '1';
    return (node.childNodes || []).map(textSection).find(Boolean);
}

const began = performance.now();
await client.connect();
const mailbox = await client.mailboxOpen('INBOX', { readOnly: true });
let read = 0;
for (let low = 1; low < mailbox.uidNext; low += AT_ONCE) {
    const range = `${low}:${low + AT_ONCE - 1}`;
    const bySection = new Map();
    const query = { uid: true, flags: true, internalDate: true, size: true, bodyStructure: true, headers: true };
    for await (const message of client.fetch(range, query, { uid: true })) {
        if (message.uid > Number(lastText)) { read += 1; continue; }
        const section = textSection(message.bodyStructure);
        if (!bySection.has(section)) bySection.set(section, []);
        bySection.get(section).push(message.uid);
        read += 1;
    }
    for (const [section, uids] of bySection) {
        const texts = client.fetch(uids.join(','), { uid: true, bodyParts: [section] }, { uid: true });
        for await (const message of texts) message.bodyParts.get(section);
    }
}
const wall = (performance.now() - began) / 1000;
const { user: inUser, system } = process.cpuUsage();
console.log(JSON.stringify({ messages: read, wall, cpu: (inUser + system) / 1e6 }));
await client.logout();
