@faults @chat
Feature: What goes wrong on the wire is found
  Each reply is a real server's own, corrupted on its way. The rule that is named must be broken, and no other may be; where
  nothing legal was changed, nothing may be found.

  Background:
    Given the time limit is 20s

  @stream
  Scenario: A stream is cut in the middle
    Given replies are streamed
    And the connection is cut after 3 events
    When I try to ask "What is the capital of France?"
    Then the connection breaks: cut
    And the rule W011 is broken
    And the rule W061 is broken

  @stream
  Scenario: A stream is reset in the middle
    Given replies are streamed
    And the connection is reset after 3 events
    When I try to ask "What is the capital of France?"
    Then the connection breaks: cut
    And the rule W011 is broken
    And the rule W061 is broken

  @stream
  Scenario: The server's side is closed in the middle of a stream
    Given replies are streamed
    And the connection is half closed after 3 events
    When I try to ask "What is the capital of France?"
    Then the connection breaks: cut
    And the rule W011 is broken
    And the rule W061 is broken

  @stream
  Scenario: A stream ends early as if that were all
    Given replies are streamed
    And streams end after 3 events
    When I ask "What is the capital of France?"
    Then the rule W061 is broken

  @stream
  Scenario: A stream stands still
    Given replies are streamed
    And the time limit is 3s
    And streams stand still after 3 events
    When I try to ask "What is the capital of France?"
    Then the connection breaks: no end in time

  @stream
  Scenario: A stream goes on with noise
    Given replies are streamed
    And streams go on with noise after 3 events
    When I ask "What is the capital of France?"
    Then the rule W015 is broken
    And the rule W061 is broken
    And the rule W210 is broken

  @stream
  Scenario: The first event of a stream comes twice
    Given replies are streamed
    And event 1 comes twice
    When I ask "What is the capital of France?"
    Then the rule W057 is broken

  @stream
  Scenario: The first two events of a stream change places
    Given replies are streamed
    And event 1 comes after the next one
    When I ask "What is the capital of France?"
    Then the rule W056 is broken

  Scenario: A whole reply is cut
    Given replies are cut after 40 bytes
    When I try to ask "What is the capital of France?"
    Then the connection breaks: cut
    And the rule W011 is broken
    And the rule W003 is broken

  Scenario: The length of a reply is too large
    Given replies promise 100 bytes more than come
    When I try to ask "What is the capital of France?"
    Then the connection breaks: cut
    And the rule W011 is broken

  Scenario: The length of a reply is too small
    Given replies promise 10 bytes fewer than come
    When I ask "What is the capital of France?"
    Then the rule W003 is broken

  Scenario: A reply is garbage
    Given replies are garbage
    When I try to ask "What is the capital of France?"
    Then the connection breaks: not HTTP
    And the rule W001 is broken

  Scenario: Nobody listens
    Given the connection is refused
    When I try to ask "What is the capital of France?"
    Then the connection breaks: refused
    Given no more faults come
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"

  Scenario: A gateway shows a page of its own
    Given replies are a page of HTML with the status 502
    When I ask "What is the capital of France?"
    Then the status is 502
    And the rule W008 is broken
    And the rule W002 is broken

  Scenario: A reply lacks its media type
    Given replies lack the header "content-type"
    When I ask "What is the capital of France?"
    Then the rule W002 is broken

  @stream
  Scenario Outline: What is legal is not found fault with: <fault>
    Given replies are streamed
    And requests meet the fault "<fault>"
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    Examples:
      | fault             |
      | bytewise          |
      | gzip              |
      | delay=500ms       |
      | slow-reply=8000   |
      | slow-request=4000 |
