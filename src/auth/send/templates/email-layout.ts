/**
 * The frame around every mail. No images, no tables, no remote content; colours are left to the mail program, so that
 * the dark theme stays dark, save for the button, whose two colours read well on both.
 */
export const htmlLayout = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{> subject}}</title>
</head>
<body style="margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
<div role="article" aria-label="{{> subject}}" style="max-width:520px;margin:0 auto">
<h1 style="font-size:24px;line-height:1.25;margin:0 0 16px">{{> heading}}</h1>
<p style="margin:0 0 24px">{{> intro}}</p>
<p style="margin:0 0 24px"><a href="{{link}}" style="display:inline-block;padding:12px 24px;border-radius:8px;background-color:#1a56db;color:#ffffff;font-weight:600;text-decoration:none">{{> action}}</a></p>
<p style="margin:0 0 8px">Or enter this code where you were asked for it:</p>
<p style="margin:0 0 24px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:32px;line-height:1.25;font-weight:600;letter-spacing:0.15em">{{code}}</p>
<p style="margin:0 0 24px">The link and the code work for {{validFor}}, and only once.</p>
<p style="margin:0 0 24px">{{> ifNotYou}}</p>
<hr style="border:0;border-top:1px solid #888888;margin:0 0 16px">
<p style="margin:0;font-size:14px">If the button does not work, open this address:<br><a href="{{link}}" style="word-break:break-all">{{link}}</a></p>
</div>
</body>
</html>
`;

/** The link and the code have lines of their own: programs make the one clickable, people copy the other. */
export const textLayout = `{{> heading}}

{{> intro}}

{{> action}}:

{{link}}

Or enter this code where you were asked for it:

{{code}}

The link and the code work for {{validFor}}, and only once.

{{> ifNotYou}}
`;
